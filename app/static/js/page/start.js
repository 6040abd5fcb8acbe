/* Says that scripts run, and leads the focus to what needs it after a form came back. */
document.documentElement.classList.add("has-script");
document.querySelector("[data-focus]")?.focus();
