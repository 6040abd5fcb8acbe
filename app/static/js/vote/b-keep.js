/* A vote that was begun is kept on this device, under its ballot and its person, until it is sent or they sign out. */
(() => {
  const { form } = vote;
  const store = {
    get(name) { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* a full or forbidden store loses only the draft */ } },
    remove(name) { try { localStorage.removeItem(name); } catch { /* there is none */ } },
  };

  for (const { dataset } of document.querySelectorAll("[data-forget]")) store.remove(dataset.forget);
  if (!form) return;

  const { draftKey, voted } = form.dataset;
  const answers = () => Object.fromEntries([...new FormData(form)].filter(([name, value]) => name.startsWith("at-") && value !== ""));

  const resume = () => {
    const kept = store.get(draftKey);
    if (!kept) return;
    /* Sent in the meantime, on another device: what is begun here is older. */
    if (kept.voted !== voted) return store.remove(draftKey);
    if (!form.hasAttribute("data-fresh-form")) return;
    const before = JSON.stringify(answers());
    for (const [name, value] of Object.entries(kept.answers)) {
      const field = form.elements[name];
      if (field) field.value = value;
    }
    document.getElementById("vote-resumed").hidden = JSON.stringify(answers()) === before;
  };
  resume();

  form.addEventListener("input", () => store.set(draftKey, { voted, answers: answers() }));
  form.querySelector("[data-fresh]").addEventListener("click", () => {
    store.remove(draftKey);
    location.assign(location.pathname);
  });
})();
