// What an app without a server does in the client-side flow: read the token, use it, leave no trace in the address.
const show = (id, text) => { document.getElementById(id).textContent = text; };

const fragment = location.hash;
const token = new URLSearchParams(fragment.slice(1)).get("access_token");
show("fragment", fragment || "(there is nothing behind the #)");

if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  const place = document.getElementById("profile");
  const url = `${place.dataset.url}?access_token=${encodeURIComponent(token)}`;
  try {
    const answer = await fetch(url, { credentials: "omit" });
    const said = await answer.json();
    show("profile", `GET ${url}\n\n${JSON.stringify(said, null, 2)}`);
    if (said.data) show("headline", `On its way, ${said.data.full_name || said.data.username}!`);
  } catch (error) {
    show("profile", `GET ${url}\n\n${error}`);
  }
} else {
  show("headline", "There is no token here");
  show("lead", "This page expects to be reached from the page that asks you.");
}
