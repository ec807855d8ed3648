// Copies the text at an address. Without scripts the buttons are hidden, and the link beside each
// leads to the same address. The listener is on the document, as htmx replaces parts of the page.

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
