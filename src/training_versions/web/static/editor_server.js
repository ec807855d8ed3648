// The requests of the editor to the server, and their replies. The form's hidden fields hold all
// state: the id and the edit token of the draft, and the form token.

const TIMEOUT = 60_000;

export class Server {
  #form;

  constructor(form) {
    this.#form = form;
  }

  // The edit token: when the draft was last edited, as far as this page knows.
  get token() {
    return this.#form.elements.token.value;
  }

  set token(token) {
    this.#form.elements.token.value = token;
  }

  async post(path, texts, base = new Map()) {
    const body = new FormData();
    body.append("version_id", this.#form.elements.version_id.value);
    body.append("token", this.token);
    for (const [name, text] of texts) body.append(name, text);
    for (const [name, text] of base) body.append(`base.${name}`, text);
    return this.#ask(path, {
      method: "POST",
      body,
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": this.#form.elements.csrf_token.value,
      },
    });
  }

  async #ask(path, request) {
    const address = this.#form.getAttribute("action") + path;
    try {
      const signal = AbortSignal.timeout(TIMEOUT);
      const reply = await fetch(address, { redirect: "manual", signal, ...request });
      return await this.#read(reply);
    } catch {
      return { state: "lost", message: "no connection to the server." };
    }
  }

  async #read(reply) {
    const isJson = reply.headers.get("Content-Type")?.startsWith("application/json");
    if (isJson) return { ...(await reply.json()), status: reply.status };
    if (reply.type === "opaqueredirect" || reply.status === 401) return { state: "signed out" };
    if (reply.status === 403) return { state: "other page" };
    let message = `the server answered with status ${reply.status}.`;
    if (reply.status === 413) message = "it is larger than the server takes.";
    if (reply.status === 404) message = "there is nothing at this address any more.";
    return { state: "failed", message, status: reply.status };
  }

  // The form token depends on the user and on the secret of the server. Both may change.
  async renewFormToken() {
    const reply = await this.#ask("", { headers: { Accept: "application/json" } });
    if (reply.csrf_token === undefined) return false;
    this.#form.elements.csrf_token.value = reply.csrf_token;
    return true;
  }
}
