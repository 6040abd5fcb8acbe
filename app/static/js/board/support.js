/* Support shows at once, and goes back to what it was if the server refuses it. */
(() => {
  const buttonOf = (event) => event.target.closest?.("[data-support]");

  const show = (id, wanted) => {
    const was = board.supports(id);
    if (was === wanted) return;
    board.setSupport(id, wanted);
    board.own(document);
    const own = document.querySelector("[data-own-sector]")?.dataset.ownSector;
    const count = document.querySelector(`#idea-${id}-support [data-count="${own}"]`);
    if (count) count.textContent = Math.max(0, Number(count.textContent) + (wanted ? 1 : -1));
  };

  /* One listener for all: what every card carried, every card would have to be searched for. */
  document.addEventListener("click", (event) => {
    const button = buttonOf(event);
    if (!button) return;
    event.preventDefault();
    htmx.ajax("POST", button.getAttribute("formaction"), { source: button, target: button, swap: "place" });
  });
  document.addEventListener("htmx:before:request", (event) => {
    const button = buttonOf(event);
    if (!button) return;
    const wanted = !event.detail.ctx.request.action.endsWith("/withdrawal");
    event.detail.ctx.wanted = wanted;
    button.classList.toggle("is-fresh", wanted);
    show(button.dataset.support, wanted);
  });
  for (const name of ["htmx:response:error", "htmx:error"]) {
    document.addEventListener(name, (event) => {
      const { ctx } = event.detail;
      const button = buttonOf(event);
      if (button && ctx?.wanted !== undefined) show(button.dataset.support, !ctx.wanted);
    });
  }
})();
