/* What the parts of a board share: finding cards, saying things, and changing without a jump. */
window.board = (() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  return {
    element: () => document.getElementById("board"),
    card: (id) => document.querySelector(`[data-card="${id}"]`),
    column: (id) => document.getElementById(`cluster-${id}-cards`),
    csrf: () => document.querySelector("#act [name=csrf]")?.value ?? "",

    /* Says something to who hears the page; `$` in the sentence becomes `title`. */
    say(sentence, title = "") {
      const place = document.getElementById("board-said");
      if (place) place.textContent = (sentence ?? "").replace("$", title);
    },

    /* Does `change`; what it displaces glides from its old place to the new one, so nothing jumps under a finger.
       A column glides with all that is in it, so its cards need only what they move within it. */
    glide(change) {
      const moving = [...document.querySelectorAll(".column, .card, .column-head, .board-more")];
      const before = new Map(moving.map((element) => [element, element.getBoundingClientRect()]));
      change();
      const moved = new Map();
      for (const [element, was] of before) {
        if (!element.isConnected) continue;
        const is = element.getBoundingClientRect();
        if (was.width && is.width) moved.set(element, [was.x - is.x, was.y - is.y, Math.min(is.top, was.top) < innerHeight]);
      }
      for (const [element, [x, y, isSeen]] of moved) {
        const [withX, withY] = moved.get(element.parentElement.closest(".column")) ?? [0, 0];
        if (!isSeen || (x === withX && y === withY)) continue;
        element.animate([{ transform: `translate(${x - withX}px, ${y - withY}px)` }, { transform: "none" }],
          { duration: calm.matches ? 1 : 320, easing: "ease-out" });
      }
    },
  };
})();
