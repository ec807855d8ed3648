// The editor of a draft. It saves while the user types, and never overwrites another edit unasked.
//
//   halt           what it means                                    what ends it
//   null           changes are saved when they are due
//   "conflict"     the draft was edited elsewhere                   merge, overwrite or discard
//   "signed out"   nobody is signed in                              signing in, in any tab
//   "ended"        it is no draft any more                          nothing
//
// `stored` holds the text of each field that is known to be in the database. A field with another
// text is unsaved. `marks` holds a hash of each stored value, `refused` the texts that the server
// did not accept. `attempt` holds the texts of the current save until its reply arrives. If none
// arrives, the same texts are sent again, as the database may have saved them. The script sets
// the text of a field only to take over other texts, so typing keeps the caret and the focus.

import { Page } from "./editor_page.js";
import { Server } from "./editor_server.js";

const PAUSE = 800;
const LONGEST_WAIT = 30_000;
const NO_NETWORK = "no network.";

function textsOf(fields) {
  return new Map(fields.map((field) => [field.name, field.value]));
}

// Whether the same request may succeed later: no reply came, or the server failed.
function mayRetry(reply) {
  return reply.state === "lost" || (reply.state === "failed" && reply.status >= 500);
}

class Editor {
  #form;
  #page;
  #server;
  #interval;
  #fields;
  #stored = new Map();
  #refused = new Map();
  #marks;
  #attempt = null;
  #saving = null;
  #halt = null;
  #shown = null;
  #failures = 0;
  #reason = null;
  #timer = null;
  #pauses = new Map();

  constructor(form) {
    this.#form = form;
    // Not `form.dataset`: the form has a field named `dataset`, which hides the property.
    this.#interval = Number(form.getAttribute("data-interval")) * 1000;
    this.#marks = JSON.parse(form.getAttribute("data-marks"));
    this.#fields = new Map();
    for (const field of form.querySelectorAll("[data-field]")) {
      this.#fields.set(field.name, field);
      this.#stored.set(field.name, field.defaultValue);
    }
    this.#page = new Page(form, this.#fields);
    this.#server = new Server(form);
  }

  start() {
    if (this.#form.hasAttribute("data-ended")) {
      this.#page.showEnded(null, this.isUnsaved);
      return;
    }
    this.#page.showStatus("saved", "All changes are saved.");
    this.#setAsideRestored();
    for (const field of this.#fields.values()) {
      field.addEventListener("input", () => this.#onInput(field));
    }
    this.#form.addEventListener("submit", (event) => this.#onSubmit(event));
    document.addEventListener("click", (event) => this.#onClick(event));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    window.addEventListener("focus", () => this.#onFocus());
    window.addEventListener("online", () => this.#retry());
    window.addEventListener("offline", () => this.#onOffline());
    window.addEventListener("beforeunload", (event) => {
      if (this.isUnsaved) event.preventDefault();
    });
  }

  // --- unsaved changes

  get isUnsaved() {
    return this.#attempt !== null || this.#changed().length > 0;
  }

  #differs(field) {
    return field.value !== this.#stored.get(field.name);
  }

  #texts() {
    return new Map([...this.#fields].map(([name, field]) => [name, field.value]));
  }

  #changed() {
    return [...this.#fields.values()].filter((field) => this.#differs(field));
  }

  // The changed fields to save. A refused text is not sent again until it changes.
  #due() {
    return this.#changed().filter((field) => this.#refused.get(field.name) !== field.value);
  }

  // A browser may restore the texts from before a reload. They may belong to an older state of the
  // draft, so they are not saved automatically.
  #setAsideRestored() {
    const texts = textsOf(this.#changed());
    if (texts.size === 0) return;
    this.#form.reset();
    this.#offerBack(texts, "Your browser kept what you typed before the page was loaded anew.");
  }

  // --- events

  #onInput(field) {
    if (this.#halt === null && this.#saving === null) this.#showState();
    this.#schedule();
    if (this.#halt === "conflict") this.#afterPause(null, () => this.#compareAgain());
    if (field.dataset.field === "json") this.#afterPause(field, () => this.#check(field));
  }

  #afterPause(field, act) {
    clearTimeout(this.#pauses.get(field));
    this.#pauses.set(field, setTimeout(act, PAUSE));
  }

  #onSubmit(event) {
    event.preventDefault();
    const choice = event.submitter?.value ?? "save";
    if (choice === "save") this.#saveNow();
    else this.#decide(choice);
  }

  #onKey(event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === "s") {
      event.preventDefault();
      this.#saveNow();
    }
  }

  async #onClick(event) {
    const link = event.target.closest?.("a[href]");
    if (!link || !this.isUnsaved || event.defaultPrevented || this.#mayLeave(link, event)) return;
    event.preventDefault();
    this.#page.showStatus("unsaved", "Saving before leaving…");
    await this.save();
    if (this.#halt === null && this.#due().length > 0) await this.save();
    if (this.isUnsaved) {
      // The next click leaves the page, and the browser asks whether to discard the changes.
      link.dataset.asked = "";
      this.#page.alarm("Not everything is saved, so this page stays open.");
      return;
    }
    location.assign(link.href);
  }

  #mayLeave(link, event) {
    // While saving waits for a decision of the user, the browser asks before leaving.
    if (this.#halt !== null) return true;
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const isHere = link.target === "" && !link.hasAttribute("download");
    const isWithin = link.getAttribute("href").startsWith("#");
    return !isPlain || !isHere || isWithin || "asked" in link.dataset;
  }

  #onVisibility() {
    // A mobile browser may discard a page in the background.
    if (document.hidden && this.#due().length > 0) this.save();
  }

  #onFocus() {
    if (this.#halt === "signed out") this.#retry();
  }

  #onOffline() {
    if (this.isUnsaved && this.#halt === null) this.#showUnsent(NO_NETWORK);
  }

  #retry() {
    if (this.isUnsaved) this.save();
  }

  // --- saving

  #schedule(delay = this.#interval) {
    if (this.#halt === "conflict" || this.#halt === "ended" || this.#timer !== null) return;
    if (this.#attempt === null && this.#due().length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#retry();
    }, delay);
  }

  async #saveNow() {
    this.#refused.clear();
    await this.save();
    this.#page.focusNotice(this.#halt);
  }

  // Resolves when the due changes were sent and answered. Only one save runs at a time.
  save() {
    if (this.#saving !== null) return this.#saving;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#saving = this.#send().finally(() => {
      this.#saving = null;
      const wait = Math.min(1000 * 2 ** (this.#failures - 1), LONGEST_WAIT, this.#interval);
      this.#schedule(this.#failures > 0 ? wait : this.#interval);
    });
    return this.#saving;
  }

  async #send() {
    if (this.#halt === "conflict" || this.#halt === "ended") return;
    if (this.#attempt === null) {
      const due = this.#due();
      if (due.length === 0) {
        this.#showState();
        return;
      }
      this.#attempt = textsOf(due);
    }
    if (this.#halt === null) this.#page.showStatus("unsaved", "Saving…");
    let reply = await this.#server.post("", this.#attempt);
    if (reply.state === "other page" && (await this.#server.renewFormToken())) {
      reply = await this.#server.post("", this.#attempt);
    }
    await this.#onReply(reply);
  }

  async #onReply(reply) {
    const attempt = this.#attempt;
    if (mayRetry(reply)) {
      this.#failures += 1;
      this.#showUnsent(reply.message);
      return;
    }
    this.#failures = 0;
    this.#reason = null;
    if (reply.state === "signed out" || reply.state === "other page") {
      this.#stopSignedOut(reply.state);
      return;
    }
    this.#halt = null;
    if (reply.state === "ended") {
      this.#attempt = null;
      this.#stopEnded(reply);
      return;
    }
    if (reply.state === "conflict") {
      await this.#compare();
      return;
    }
    this.#attempt = null;
    if (reply.state === "failed") {
      for (const [name, text] of attempt ?? []) this.#refused.set(name, text);
      this.#page.showStatus("trouble", `Not saved: ${reply.message}`);
      this.#page.alarm(`Not saved: ${reply.message}`);
      return;
    }
    await this.#onSaved(attempt, reply);
  }

  async #onSaved(attempt, reply) {
    const problems = reply.problems ?? {};
    const isWritten = reply.token !== undefined;
    for (const [name, text] of attempt) {
      if (name in problems) this.#refused.set(name, text);
      else if (isWritten) this.#stored.set(name, text);
    }
    this.#page.showProblems(problems, [...attempt.keys()]);
    if (isWritten) {
      if (this.#wasEditedElsewhere(attempt, problems, reply.marks)) {
        await this.#compare();
        return;
      }
      this.#server.token = reply.token;
      this.#marks = reply.marks;
      this.#page.countFrom(Date.now());
    }
    if (Object.keys(problems).length > 0) this.#page.announce(reply.message);
    else this.#page.announce(`Saved at ${new Date().toLocaleTimeString()}.`);
    this.#showState();
  }

  // --- conflicts

  // A save that changes nothing succeeds even if another edit came before it. Then the hash of a
  // field that this save did not write differs from the hash that this page knows.
  #wasEditedElsewhere(attempt, problems, marks) {
    return Object.keys(marks).some((name) => {
      const isWritten = attempt.has(name) && !(name in problems);
      return !isWritten && marks[name] !== this.#marks[name];
    });
  }

  // Requests the comparison of both sides. Returns its reply, or null if it failed.
  async #compare() {
    const before = this.#texts();
    // Unchanged fields are sent in `stored` only.
    const texts = textsOf(this.#changed());
    const reply = await this.#server.post("/compare", texts, this.#stored);
    if (reply.state !== "compared") {
      if (mayRetry(reply)) {
        this.#failures += 1;
        this.#showUnsent(reply.message);
        if (this.#halt === "conflict") this.#page.showUndecided(reply.message);
      } else if (reply.state !== "conflict") {
        await this.#onReply(reply);
      }
      return null;
    }
    this.#attempt = null;
    this.#failures = 0;
    if (!reply.has_mine) {
      // The reply does not know what was typed meanwhile.
      if (this.#hasTypedSince(before)) return this.#compare();
      this.#halt = null;
      this.#takeOverTheirs(reply);
      return reply;
    }
    const isNew = this.#halt !== "conflict";
    this.#halt = "conflict";
    this.#shown = reply;
    this.#page.showConflict(reply.html, isNew);
    this.#page.showProblems(reply.problems ?? {}, []);
    return reply;
  }

  // Updates the notice of the conflict while the user types. Both sides may agree by then.
  async #compareAgain() {
    if (this.#halt === "conflict" && this.#saving === null) await this.#compare();
  }

  // The stored draft has all of my changes, so nothing is unsaved. Its other texts are taken over.
  #takeOverTheirs(reply) {
    const taken = [];
    this.#page.clearNotice();
    for (const [name, field] of this.#fields) {
      const isMine = this.#differs(field);
      this.#stored.set(name, isMine ? field.value : reply.texts[name]);
      if (!isMine && this.#page.setText(field, reply.texts[name])) taken.push(name);
    }
    this.#server.token = reply.token;
    this.#marks = reply.marks;
    this.#page.countFrom(Date.now());
    this.#showState();
    if (taken.length > 0) this.#page.showTakenOver(taken);
  }

  async #decide(choice) {
    const shown = this.#shown;
    if (this.#halt !== "conflict" || this.#saving !== null) return;
    const before = this.#texts();
    const reply = await this.#compare();
    if (reply === null || this.#halt !== "conflict") return;
    const isSame = reply.token === shown.token && !this.#hasTypedSince(before);
    if (!isSame || (choice === "merge" && !reply.can_merge)) {
      this.#page.focusNotice("conflict");
      this.#page.alarm("It has changed again meanwhile. Look at both sides, and choose again.");
      return;
    }
    this.#halt = null;
    this.#shown = null;
    this.#server.token = reply.token;
    this.#marks = reply.marks;
    const mine = textsOf(this.#changed());
    for (const [name, field] of this.#fields) {
      this.#stored.set(name, reply.texts[name]);
      if (choice === "merge") this.#page.setText(field, reply.merged[name]);
      else if (choice === "discard" || !mine.has(name)) {
        this.#page.setText(field, reply.texts[name]);
      }
    }
    this.#refused.clear();
    this.#page.clearNotice();
    if (choice === "discard") {
      this.#page.clearProblems();
      this.#page.countFrom(Date.now());
      this.#showState();
      this.#page.announce("Yours was discarded; the fields show what is saved.");
      this.#offerBack(mine, "What you typed was discarded.");
    } else {
      await this.save();
    }
    this.#page.focusFields();
  }

  #hasTypedSince(texts) {
    return [...this.#fields].some(([name, field]) => texts.get(name) !== field.value);
  }

  #offerBack(texts, why) {
    this.#page.offerBack(why, () => {
      for (const [name, text] of texts) this.#page.setText(this.#fields.get(name), text);
      this.#showState();
      this.#schedule();
    });
  }

  // --- states in which saving stops

  #stopEnded(reply) {
    this.#halt = "ended";
    this.#page.showEnded(reply.html, this.isUnsaved);
    this.#page.alarm(`${reply.message} Nothing can be saved here any more.`);
  }

  #stopSignedOut(state) {
    const isNew = this.#halt === null;
    this.#halt = "signed out";
    let why = "You are signed out.";
    if (state === "other page") why = "You are signed in as somebody else.";
    this.#page.showSignedOut(why);
    if (isNew) this.#page.alarm(`Not saved yet: ${why} What you typed is kept on this page.`);
  }

  // --- checking JSON while the user types

  async #check(field) {
    const text = field.value;
    if (this.#halt === "ended") return;
    const reply = await this.#server.post("/check", new Map([[field.name, text]]));
    if (reply.state !== "checked" || field.value !== text) return;
    // A save may have refused this text since, for a reason that this check does not cover.
    if (!(field.name in reply.problems) && this.#refused.get(field.name) === text) return;
    if (field.name in reply.problems) this.#refused.set(field.name, text);
    this.#page.showProblems(reply.problems, [field.name]);
    if (this.#halt === null && this.#saving === null) this.#showState();
  }

  // --- the state that the page shows

  #showUnsent(message) {
    const text = `Not saved yet: ${message}`;
    this.#page.showStatus("unsaved", `${text} It will be tried again by itself.`);
    // Announced once for each reason, not for each retry.
    if (message !== this.#reason) this.#page.announce(text);
    this.#reason = message;
  }

  #showState() {
    const refused = this.#changed().filter(
      (field) => this.#refused.get(field.name) === field.value,
    );
    if (this.#halt !== null) return;
    if (this.isUnsaved && !navigator.onLine) {
      this.#showUnsent(NO_NETWORK);
    } else if (this.#failures > 0) {
      this.#showUnsent(this.#reason);
    } else if (this.#due().length > 0 || this.#attempt !== null) {
      this.#page.showStatus("unsaved", "Unsaved changes");
    } else if (refused.length > 0) {
      this.#page.showRefused(refused);
    } else {
      this.#page.showSaved();
    }
  }
}

const form = document.getElementById("editor");
if (form) new Editor(form).start();
