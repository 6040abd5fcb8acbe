/* Nothing typed is lost: text fields with `data-draft` are kept in this tab until their form is sent. */
(() => {
  const key = (field) => `draft:${field.dataset.draft}:${field.name}`;
  const store = {
    get: (name) => { try { return sessionStorage.getItem(name); } catch { return null; } },
    set: (name, value) => {
      try {
        if (value) sessionStorage.setItem(name, value);
        else sessionStorage.removeItem(name);
      } catch { /* a full or forbidden store loses only the draft */ }
    },
  };

  const restore = () => {
    for (const field of document.querySelectorAll("[data-draft]")) {
      if (!field.value) field.value = store.get(key(field)) ?? "";
    }
  };
  restore();
  document.addEventListener("htmx:after:swap", restore);
  document.addEventListener("input", ({ target }) => {
    if (target.dataset.draft) store.set(key(target), target.value);
  });
  const forget = (form) => {
    for (const field of form.querySelectorAll("[data-draft]")) store.set(key(field), "");
  };
  /* Votes that were begun are kept on the device until they are sent; whoever signs out leaves none behind. */
  const forgetVotes = () => {
    try {
      for (const name of Object.keys(localStorage)) if (name.startsWith("vote:")) localStorage.removeItem(name);
    } catch { /* a forbidden store holds none */ }
  };
  document.addEventListener("submit", ({ target }) => {
    if (!target.hasAttribute("hx-post")) forget(target);
    if (target.getAttribute("action") === "/sign-out") forgetVotes();
  });
  document.addEventListener("htmx:after:request", ({ target, detail }) => {
    if (target.matches("form") && detail.ctx.response.status < 300) forget(target);
  });
})();
