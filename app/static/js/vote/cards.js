/* One solution at a time: progress, back, next or skip; at the last one, looking over what was chosen. */
(() => {
  const { form, cards } = vote;
  if (!form || form.dataset.method === "ranked" || cards.length < 2) return;
  const stepper = form.querySelector("[data-stepper]");
  const progress = form.querySelector("[data-progress]");
  const bar = stepper.querySelector("progress");
  const all = form.querySelector("[data-all]");
  const [back, next, review] = ["back", "next", "review"].map((name) => form.querySelector(`[data-${name}]`));
  const words = { next: next.textContent, skip: next.dataset.skip, all: all.textContent, one: all.dataset.one };
  let now = 0;
  let isStepped = true;
  let hasSeenAll = cards.every((card) => vote.valueOf(card) !== "");

  /* To skip is not drawn heavier than to answer. */
  const label = () => {
    const isAnswered = vote.valueOf(cards[now]) !== "";
    next.textContent = isAnswered ? words.next : words.skip;
    next.classList.toggle("button-primary", isAnswered);
  };

  const draw = () => {
    const isLast = now === cards.length - 1;
    hasSeenAll ||= isLast;
    form.classList.toggle("is-stepped", isStepped);
    cards.forEach((card, place) => { card.hidden = isStepped && place !== now; });
    progress.textContent = isStepped ? vote.filled(progress.dataset.words, { now: now + 1, all: cards.length }) : "";
    bar.hidden = !isStepped;
    bar.value = now + 1;
    all.textContent = isStepped ? words.all : words.one;
    back.hidden = !isStepped;
    back.disabled = now === 0;
    next.hidden = !isStepped || isLast;
    review.hidden = isStepped && !hasSeenAll;
    review.classList.toggle("button-primary", next.hidden);
    label();
  };

  const go = (place) => {
    now = Math.min(Math.max(place, 0), cards.length - 1);
    draw();
    cards[now].querySelector(".vote-title").focus({ preventScroll: true });
    stepper.scrollIntoView({ block: "nearest" });
  };

  stepper.hidden = false;
  /* What came back to be mended: the card that is wrong, or all of them where it is their sum. */
  const wrong = cards.findIndex((card) => card.querySelector(".error"));
  if (wrong > 0) now = wrong;
  else if (wrong < 0 && form.querySelector(".problems")) isStepped = false;
  draw();

  back.addEventListener("click", () => go(now - 1));
  next.addEventListener("click", () => go(now + 1));
  all.addEventListener("click", () => {
    isStepped = !isStepped;
    draw();
  });
  form.addEventListener("input", label);
  /* Enter in a field goes on, as it does on paper, and sends nothing by accident. */
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".vote-card input") || !isStepped) return;
    event.preventDefault();
    if (next.hidden) review.focus();
    else go(now + 1);
  });
  /* The list of what is wrong leads to its card. */
  document.addEventListener("click", (event) => {
    const key = event.target.closest?.("a[href^='#field-at-']")?.hash.slice("#field-at-".length);
    const place = cards.findIndex((card) => card.dataset.key === key);
    if (place < 0) return;
    now = place;
    draw();
  });
})();
