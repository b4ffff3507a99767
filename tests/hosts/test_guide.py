"""What the guide for many hosts shows can be used as it stands."""

from pathlib import Path

from tests.hosts.programs import block
from valetkey import settings
from valetkey.cli.config import mistakes
from valetkey.store.address import parse


def test_the_settings_of_the_guide_are_settings(tmp_path: Path):
    file = tmp_path / "valetkey.toml"
    file.write_text(block("toml"))
    read = settings.load(file, {})
    assert mistakes(read) == []
    address = parse(read.database)
    assert (address.place, *address.others) == tuple(
        f"postgresql://valetkey@10.0.0.{host}/valetkey" for host in (21, 22)
    )
