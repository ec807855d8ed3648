// Copies what is at an address. Where scripts do not run the buttons are not shown: a link to the
// same address stands beside each. Clicks are heard at the document, as htmx replaces what is in it.

const SHOWN_FOR = 4000;

document.documentElement.classList.add("scripts");
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-from]");
  if (button) copy(button, button.parentElement.querySelector(".copied"));
});

async function copy(button, said) {
  try {
    const reply = await fetch(button.dataset.copyFrom);
    if (!reply.ok || reply.redirected) throw new Error(`it answered ${reply.status}`);
    await navigator.clipboard.writeText(await reply.text());
    said.textContent = "Copied";
  } catch {
    said.textContent = "Could not be copied: download it instead.";
  }
  setTimeout(() => (said.textContent = ""), SHOWN_FOR);
}
