// The view of the editor: the state of saving, problems beside their fields, and notices.
// editor.js keeps the state. Markup comes from the server, which escapes it.

export class Page {
  #form;
  #fields;
  #status;
  #notice;
  #savedAt = null;
  #isCounting = false;
  #conflict = "";

  constructor(form, fields) {
    this.#form = form;
    this.#fields = fields;
    this.#status = document.getElementById("save-status");
    this.#notice = document.getElementById("editor-notice");
    document.addEventListener("click", (event) => this.#onClick(event));
    setInterval(() => this.#count(), 1000);
    for (const field of fields.values()) this.#readyProblem(field);
  }

  // --- the state of saving; screen readers read `announce` and `alarm`, but not every second

  showStatus(kind, text, ...more) {
    if (this.#status === null) return;
    this.#isCounting = false;
    this.#status.dataset.kind = kind;
    this.#status.replaceChildren(text, ...more);
  }

  announce(text) {
    this.alarm("");
    document.getElementById("save-news").textContent = text;
  }

  alarm(text) {
    document.getElementById("save-alarm").textContent = text;
  }

  countFrom(moment) {
    this.#savedAt = moment;
  }

  showSaved() {
    if (this.#savedAt === null) {
      this.showStatus("saved", "All changes are saved.");
      return;
    }
    this.showStatus("saved", `Saved ${describeAge(Date.now() - this.#savedAt)}`);
    this.#isCounting = true;
  }

  #count() {
    if (this.#isCounting) this.showSaved();
  }

  showRefused(fields) {
    const buttons = fields.map((field) => goTo(field.id, field.labels[0].textContent));
    this.showStatus("trouble", "All is saved but for", ...buttons);
  }

  showSignedOut(why) {
    const link = document.createElement("a");
    link.href = "/sign-in";
    link.target = "_blank";
    link.textContent = "Sign in in a new tab";
    this.showStatus("trouble", `Not saved yet: ${why} What you typed is kept here. `, link);
  }

  // --- problems of fields

  showProblems(problems, checked) {
    for (const name of new Set([...checked, ...Object.keys(problems)])) {
      const field = this.#fields.get(name);
      const place = document.getElementById(`problem-${name}`);
      const html = problems[name]?.html ?? "";
      field.removeAttribute("aria-invalid");
      if (html) field.setAttribute("aria-invalid", "true");
      if (place.dataset.html === html) continue;
      place.dataset.html = html;
      place.innerHTML = html;
      this.#readyProblem(field);
      if (html) this.announce(`${field.labels[0].textContent}: ${problems[name].message}`);
    }
  }

  clearProblems() {
    this.showProblems({}, [...this.#fields.keys()]);
  }

  #readyProblem(field) {
    const button = document.querySelector(`#problem-${field.name} [data-jump]`);
    if (button) button.hidden = false;
  }

  #onClick(event) {
    const jump = event.target.closest?.("[data-jump]");
    if (jump) this.#jump(this.#fields.get(jump.dataset.jump), Number(jump.dataset.offset));
    const goal = event.target.closest?.("[data-go]")?.dataset.go;
    if (goal) document.getElementById(goal)?.focus();
    if (event.target.closest?.("[data-copy]")) this.#copyUnsaved();
  }

  #jump(field, characters) {
    // The server counts characters, the browser counts UTF-16 code units.
    const offset = Array.from(field.value).slice(0, characters).join("").length;
    field.focus();
    field.setSelectionRange(offset, Math.min(offset + 1, field.value.length));
  }

  // --- fields

  // Returns whether the text changed. The caret keeps its position if the text is long enough.
  setText(field, text) {
    if (field.value === text) return false;
    const [start, end] = [field.selectionStart, field.selectionEnd];
    field.value = text;
    if (document.activeElement === field) field.setSelectionRange(start, end);
    return true;
  }

  focusFields() {
    // The focused button was removed with its notice. Without this, the focus is lost.
    if (document.activeElement === document.body) {
      this.#fields.get("config").focus({ preventScroll: true });
    }
  }

  // --- notices

  showConflict(html, isNew) {
    const button = goTo("conflict-title", "See both sides");
    this.showStatus("trouble", "Not saved: this draft was changed elsewhere.", button);
    if (!isNew && this.#conflict === html) return;
    this.#conflict = html;
    this.#notice.innerHTML = html;
    if (!isNew) return;
    this.alarm("Not saved: this draft was changed elsewhere. Choose above the fields what to keep.");
  }

  showUndecided(why) {
    const button = goTo("conflict-title", "See both sides");
    this.showStatus("trouble", `Not saved: ${why} Choose again when there is one.`, button);
    this.alarm(`Not saved: ${why} Choose again when there is one.`);
  }

  showEnded(html, isUnsaved) {
    if (html !== null) this.#notice.innerHTML = html;
    for (const field of this.#fields.values()) field.readOnly = true;
    this.#form.querySelector(".savebar")?.remove();
    this.#status = null;
    for (const part of this.#notice.querySelectorAll(".kept, [data-copy]")) part.hidden = !isUnsaved;
  }

  showTakenOver(names) {
    const labels = names.map((name) => this.#fields.get(name).labels[0].textContent).join(", ");
    const text = `Changed elsewhere, and shown here now: ${labels}.`;
    this.#showNotice(text);
    this.announce(text);
  }

  offerBack(why, bringBack) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Bring it back";
    button.addEventListener("click", () => {
      bringBack();
      this.clearNotice();
      this.focusFields();
    });
    this.#showNotice(`${why} `, button);
  }

  #showNotice(...content) {
    const paragraph = document.createElement("p");
    paragraph.className = "notice";
    paragraph.append(...content);
    this.#notice.replaceChildren(paragraph);
  }

  clearNotice() {
    this.#notice.replaceChildren();
  }

  focusNotice(halt) {
    if (halt === "conflict") document.getElementById("conflict-title")?.focus();
    if (halt === "ended") document.getElementById("ended-title")?.focus();
  }

  async #copyUnsaved() {
    const changed = [...this.#fields.values()].filter(
      (field) => field.value !== field.defaultValue,
    );
    const text = changed
      .map((field) => `${field.labels[0].textContent}:\n${field.value}\n`)
      .join("\n");
    try {
      await navigator.clipboard.writeText(text);
      this.announce("Copied.");
    } catch {
      changed[0]?.select();
      this.announce("This browser does not let pages copy. The text is selected: copy it yourself.");
    }
  }
}

function describeAge(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  return `${Math.floor(minutes / 60)} h ago`;
}

function goTo(id, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.go = id;
  button.textContent = label;
  return button;
}
