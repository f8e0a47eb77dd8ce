// One number for several services: tiles are chosen instead of opened, until the person is done.

export class Several {
  /** `bar` holds the two buttons; `done` takes the tiles that were chosen, in the order they were touched. */
  constructor(bar, words, most, done) {
    [this.bar, this.words, this.most, this.done] = [bar, words, most, done];
    [this.turn, this.go] = [bar.querySelector("#several"), bar.querySelector("#several-go")];
    this.on = false;
    this.tiles = [];
    this.turn.addEventListener("click", () => this.set(!this.on));
    this.go.addEventListener("click", () => this.done([...this.tiles]));
  }

  get title() {
    return this.words.several_title.replace("{most}", this.most);
  }

  set(on) {
    this.on = on;
    this.tiles = [];
    this.paint();
  }

  touch(tile) {
    const at = this.tiles.indexOf(tile);
    if (at >= 0) this.tiles.splice(at, 1);
    else if (this.tiles.length < this.most) this.tiles.push(tile);
    this.paint();
  }

  /** A service that has closed meanwhile is not chosen any more. */
  paint() {
    this.tiles = this.tiles.filter((tile) => !tile.disabled);
    document.body.classList.toggle("several", this.on);
    for (const tile of document.querySelectorAll("[data-service]")) {
      if (this.on) tile.setAttribute("aria-pressed", String(this.tiles.includes(tile)));
      else tile.removeAttribute("aria-pressed");
    }
    const n = this.tiles.length;
    this.turn.textContent = this.on ? this.words.several_on : this.words.several;
    this.go.hidden = !this.on;
    this.go.disabled = n === 0;
    this.go.textContent = n ? this.words.several_go.replace("{n}", n) : this.words.several_none;
  }
}
