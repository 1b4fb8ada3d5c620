// What every page needs: it says when a part of the page could not be renewed. Nothing is evaluated, nothing is fetched
// from elsewhere; without this script every page can be read.
(function () {
  "use strict";
  const trouble = () => document.getElementById("trouble");
  const say = (words) => {
    const place = trouble();
    if (place === null) return;
    place.textContent = words;
    place.hidden = words === "";
  };
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail?.ctx?.response?.status;
    if (status === 401 || status === 403) say("You are signed out, or may not do this. What you see may be out of date: load the page again.");
    else say("The service could not answer (" + status + "). What you see may be out of date.");
  });
  document.addEventListener("htmx:error", () => say("The service cannot be reached. What you see may be out of date."));
  document.addEventListener("htmx:after:swap", () => {
    say("");
    document.dispatchEvent(new CustomEvent("leuko:figures"));
  });
})();
