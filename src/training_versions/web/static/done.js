// Show the message of a completed action once. After a reload or from a bookmark it may be wrong.

const address = new URL(location.href);
for (const name of ["done", "source", "target", "number"]) address.searchParams.delete(name);
history.replaceState(history.state, "", address);
