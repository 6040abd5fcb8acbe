/* The field that is always at hand: cleared once its idea stands on the board, with the focus left in it. */
(() => {
  const done = (form) => {
    form.reset();
    form.querySelector("input:not([type=hidden]), textarea").value = "";
    for (const wrong of form.querySelectorAll(".problems, .error")) wrong.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    document.getElementById("similar")?.replaceChildren();
    board.say(document.getElementById("board-said")?.dataset.posted);
  };

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    if (form.matches?.("#quick-form, [data-clears]") && ctx.response?.status < 300) done(form);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.id === "field-title") document.getElementById("similar")?.replaceChildren();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".quick")) document.getElementById("similar")?.replaceChildren();
  });

  const quick = document.getElementById("quick");
  if (quick) {
    const edge = document.createElement("div");
    quick.before(edge);
    new IntersectionObserver(([entry]) => quick.classList.toggle("is-stuck", !entry.isIntersecting && entry.boundingClientRect.top < 0))
      .observe(edge);
  }
})();
