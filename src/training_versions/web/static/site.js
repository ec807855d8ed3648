// The script of all pages. Everything works without it, too.

// Leave empty filters out of the address, both for plain forms and for htmx.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

// Apply a chosen filter at once. A typed one is applied with Enter.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[role=search]");
  if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
});
