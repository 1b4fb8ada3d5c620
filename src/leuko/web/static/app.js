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
  // What only works with this script is shown only by it.
  const reveal = () => document.querySelectorAll(".needs-script[hidden]").forEach((each) => (each.hidden = false));
  reveal();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === null) return;
    if (button.hasAttribute("data-print")) window.print();
    if (button.hasAttribute("data-copy")) copy(button);
  });
  // The text goes to the clipboard; where the browser refuses, it is marked, ready for Ctrl+C.
  function copy(button) {
    const source = document.getElementById(button.getAttribute("data-copy"));
    const done = document.getElementById(button.getAttribute("data-done"));
    const tell = (words) => done !== null && (done.textContent = words);
    const text = source.value ?? source.textContent;
    const mark = () => {
      source.focus();
      if (source.select) source.select();
      tell("Marked: press Ctrl+C to copy.");
    };
    if (!navigator.clipboard) return mark();
    navigator.clipboard.writeText(text).then(() => tell("Copied."), mark);
  }
  // The service tells an open worklist that there is news; while it cannot, the page asks for the rows by itself.
  const stream = document.getElementById("stream");
  if (stream !== null) {
    const ASK = 5000; // [ms]
    let heard = false;
    stream.addEventListener("htmx:sse:after:connection", () => (heard = true));
    for (const end of ["before:connection", "error", "close"]) stream.addEventListener("htmx:sse:" + end, () => (heard = false));
    setInterval(() => heard || document.hidden || htmx.trigger(stream, "news"), ASK);
  }
  document.addEventListener("htmx:response:error", (event) => {
    if (event.target === stream) return;
    const status = event.detail?.ctx?.response?.status;
    if (status === 401 || status === 403) say("You are signed out, or may not do this. What you see may be out of date: load the page again.");
    else say("The service could not answer (" + status + "). What you see may be out of date.");
  });
  document.addEventListener("htmx:error", (event) => event.target === stream || say("The service cannot be reached. What you see may be out of date."));
  document.addEventListener("htmx:after:swap", () => {
    say("");
    reveal();
    document.dispatchEvent(new CustomEvent("leuko:figures"));
  });
})();
