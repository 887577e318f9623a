"use strict";
// Listening: a click on a waveform, a sentence or a button plays the finished file from there.
const player = document.getElementById("player");
const play = (part, seconds) => {
  const source = document.body.dataset["file" + part];
  if (!source) return;
  player.hidden = false;
  if (player.getAttribute("src") !== source) player.src = source;
  player.currentTime = seconds;
  player.play();
};
document.addEventListener("click", (event) => {
  const picture = event.target.closest("svg[data-p]");
  if (picture) {
    const box = picture.getBoundingClientRect();
    const { p, s, e } = picture.dataset;
    return play(p, +s + (e - s) * (event.clientX - box.left) / box.width);
  }
  const place = event.target.closest("[data-t]");
  if (place) play(place.closest("[data-p]").dataset.p, +place.dataset.t);
});
// Searching: rows that do not match are hidden, chapters with a match are opened.
const search = document.getElementById("search");
const count = document.getElementById("count");
const find = () => {
  const wanted = search.value.trim().toLowerCase();
  let found = 0;
  for (const chapter of document.querySelectorAll("details")) {
    let here = 0;
    for (const row of chapter.querySelectorAll("tr")) {
      const matches = !wanted || row.cells[2].textContent.toLowerCase().includes(wanted);
      row.hidden = !matches;
      here += matches;
    }
    chapter.hidden = !here;
    if (wanted) chapter.open = here > 0 && found < 200;
    found += here;
  }
  count.textContent = wanted ? `${found} sentence${found === 1 ? "" : "s"}` : "";
};
let timer;
search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 150); });
for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
