// What was just done is said once: after a reload, or from a bookmark, it would not be true.

const address = new URL(location.href);
for (const name of ["done", "source", "target", "number"]) address.searchParams.delete(name);
history.replaceState(history.state, "", address);
