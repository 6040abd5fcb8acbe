/* The one policy for trusted types: markup of our own server may be parsed, and no script comes out of it. */
htmx.registerExtension("trusted", {
  init(api) {
    const policy = { createHTML: (html) => html, createScript: () => "" };
    api.initSecurity(window.trustedTypes ? trustedTypes.createPolicy("htmx", policy) : policy);
  },
});
