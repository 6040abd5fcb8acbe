/* How htmx runs here. */

/* The one policy for trusted types: markup of our own server may be parsed, and no script comes out of it. */
htmx.registerExtension("trusted", {
  init(api) {
    const policy = { createHTML: (html) => html, createScript: () => "" };
    api.initSecurity(window.trustedTypes ? trustedTypes.createPolicy("htmx", policy) : policy);
  },
});

/* It begins when all scripts of the page are there: on its own it might begin before a board's, which would then never run. */
(() => {
  const begin = htmx.initialize.bind(htmx);
  htmx.initialize = () => {};
  if (document.readyState === "complete") begin();
  else addEventListener("DOMContentLoaded", begin);
})();
