// Copies what is at an address. The buttons are hidden where scripts do not run: a link to the same
// address stands beside each.

const SHOWN_FOR = 4000;

for (const button of document.querySelectorAll("[data-copy]")) {
  const said = document.createElement("span");
  said.className = "copied";
  said.setAttribute("role", "status");
  button.after(said);
  button.hidden = false;
  button.addEventListener("click", () => copy(button, said));
}

async function copy(button, said) {
  try {
    const reply = await fetch(button.dataset.copy);
    if (!reply.ok || reply.redirected) throw new Error(`it answered ${reply.status}`);
    await navigator.clipboard.writeText(await reply.text());
    said.textContent = "Copied";
  } catch {
    said.textContent = "Could not be copied: download it instead.";
  }
  setTimeout(() => (said.textContent = ""), SHOWN_FOR);
}

// What was just done is said once, and not again after a reload.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  for (const name of ["done", "source", "target", "number"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

// A choice that has a button for whoever has no scripts takes effect at once.
for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
