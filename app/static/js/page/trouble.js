/* When a request in the background fails, the reason is shown in words; what the page shows stays as it was. */
(() => {
  const flash = document.getElementById("flash");
  let clearing;

  const show = (content) => {
    flash.replaceChildren(content);
    clearTimeout(clearing);
    clearing = setTimeout(() => flash.replaceChildren(), 12000);
  };
  const general = () => document.getElementById("trouble").content.cloneNode(true);

  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    if (ctx.response.status === 422) return;
    if (ctx.response.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (ctx.sourceElement.id === "live" || ctx.response.status >= 500) {
      if (ctx.sourceElement.id !== "live") show(general());
      ctx.swap = "none";
      return;
    }
    /* The answer is a page that says what is wrong: take the sentence out of it. */
    ctx.target = flash;
    ctx.select = "[data-problem]";
    ctx.swap = "innerHTML";
    show("");
  });
  document.addEventListener("htmx:error", ({ target, detail }) => {
    if (target.id !== "live" && detail.error?.name !== "AbortError") show(general());
  });
  /* A session that has ended answers with the way to sign in: go there. */
  document.addEventListener("htmx:before:swap", (event) => {
    const { raw } = event.detail.ctx.response ?? {};
    if (raw?.redirected && new URL(raw.url).pathname === "/sign-in") {
      event.preventDefault();
      location.assign(raw.url);
    }
  });
})();
