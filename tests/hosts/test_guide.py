"""What the guide for many hosts shows can be used as it stands."""

from pathlib import Path

from tests.hosts.programs import block, nginx
from tests.program import free_port
from tests.torture import wire
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


async def test_no_token_is_written_into_the_log_of_the_guide_s_nginx(tmp_path: Path):
    port = free_port()
    front = nginx(tmp_path, port, [free_port()])
    try:
        away = await wire.ask(port, "/v1/users/self?access_token=secret")
        assert away.status == 503  # nobody is behind it
    finally:
        front.stop()
    logged = (tmp_path / "id.example.org.log").read_text()
    assert '"GET /v1/users/self" 503' in logged and "secret" not in logged
