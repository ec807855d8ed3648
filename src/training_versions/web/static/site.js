// What all pages do with a script: nothing that does not work without one.

// Filters that are empty do not become part of the address; for plain forms and for htmx alike.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

// A filter that is chosen applies at once; one that is typed, with Enter.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[role=search]");
  if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
});
