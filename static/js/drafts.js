// Keeps what is typed into a form that is left without being sent (zhoushan_consult/web/drafts.py). Without this script the
// pages work as well: a form that is sent is kept in any case, and browsers restore the fields of a page after Back.
(() => {
  const LONGEST_WAIT = 5000; // milliseconds
  const forms = [...document.querySelectorAll("input[name=draft]")].map((input) => input.form);
  const saved = new Map();
  const touched = new Set(); // forms that were typed into
  let sent = null; // the form that is on its way
  let saving = null; // what a link waits for, and where the last one leads
  let goal = "";

  const typed = (form) => new URLSearchParams(new FormData(form)).toString();
  const unsaved = () => forms.filter((form) => form !== sent && typed(form) !== saved.get(form));

  // When the page is left or hidden. A beacon arrives even if the page is gone by then.
  function save() {
    for (const form of unsaved()) {
      if (navigator.sendBeacon("/drafts/", new FormData(form))) saved.set(form, typed(form));
    }
  }

  async function saveNow(form) {
    const text = typed(form);
    try {
      const answer = await fetch("/drafts/", { method: "POST", body: new FormData(form) });
      if (answer.ok) saved.set(form, text);
    } catch {
      // Not saved: `save` sends it once more as the page is left.
    }
  }

  // A link may lead to this very form. It is followed when the text has arrived, or after the longest wait: on a slow
  // connection the next page would be asked for before the text is there, and show an empty form.
  async function follow(event) {
    const link = event.target.closest("a[href]");
    const withKey = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || event.defaultPrevented || event.button || withKey) return;
    if (link.target || link.hash || link.origin !== location.origin || !unsaved().length) return;
    event.preventDefault();
    goal = link.href;
    if (saving) return;
    const longest = new Promise((done) => setTimeout(done, LONGEST_WAIT));
    saving = Promise.race([Promise.all(unsaved().map(saveNow)), longest]);
    await saving;
    saving = null;
    if (!sent) location.assign(goal);
  }

  // What the page came with need not be saved. After Back it may be shown as it was left. On a slow connection people type
  // before the page is complete.
  function start() {
    sent = null;
    for (const form of forms) if (!saved.has(form) && !touched.has(form)) saved.set(form, typed(form));
  }

  addEventListener("pageshow", start);
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
  document.addEventListener("input", (event) => touched.add(event.target.form));
  document.addEventListener("click", follow);
  document.addEventListener("submit", (event) => {
    sent = event.target;
    // A save that arrived after the form would bring back what the form erases.
    if (saving) {
      event.preventDefault();
      saving.then(() => event.target.requestSubmit(event.submitter));
      return;
    }
    // Shown again as it was left, it is not typed text any more.
    if (forms.includes(sent)) saved.set(sent, typed(sent));
    save();
  });
})();
