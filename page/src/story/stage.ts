import { find, make } from "../shell/dom.ts";
import type { MeasuredLine, Opened, Pair, Place, TrainingNews } from "../worker/story/story-requests.ts";
import { createDigitRow } from "./digit-row.ts";
import { createLand, type Land } from "./land.ts";
import { createThreads } from "./threads.ts";
import { animate, createUnitTiles } from "./unit-tiles.ts";
import { formatLoss, formatShare, namePlace, tellPlace } from "./words.ts";

/** Milliseconds in which threads appear, in which they fade, and in which a ridge sinks. */
const APPEAR = 450;
const FADE = 700;
const SINK = 1300;

/** Steps over which shown losses are averaged, as those of single batches jump. */
const SMOOTHED = 8;

/** A line that can be shown, with the line of before. */
export interface ShownLine {
  readonly line: MeasuredLine;
  readonly ghost: MeasuredLine | undefined;
  readonly aligned: boolean;
}

/** Parts that a training changes: units of A, of B, of the average, and the losses; and milliseconds from one to the next. */
const PARTS = 4;
const PAUSE = 30;

/** The stage on which the story is shown: units, land, slider, readings. */
export class Stage {
  /** Slider of the place between the networks. */
  readonly place: HTMLInputElement = find("place", HTMLInputElement);
  readonly #a = createUnitTiles(canvas("units-a"), "a");
  readonly #b = createUnitTiles(canvas("units-b"), "b");
  readonly #mean = createUnitTiles(canvas("units-mean"), "land");
  readonly #land: Land = createLand(find("land", HTMLElement), this.place.parentElement ?? this.place);
  readonly #threads = createThreads(canvas("threads"), canvas("units-a"), canvas("units-b"));
  readonly #digits = createDigitRow(find("digits", HTMLElement));
  readonly #losses: Pair<[number, number][]> = [[], []];
  #steps = 1;
  /** Number of parts that are to be drawn after the last news of a training, and whose turn it is. */
  #waiting = 0;
  #turn = 0;
  #units: Pair<Float32Array> | undefined;

  /** Shows that something is coming. */
  wait(): void {
    for (const tiles of [this.#a, this.#b, this.#mean]) tiles.wait();
    this.#drawLosses();
  }

  /** Shows the images. */
  open(opened: Opened): void {
    this.#digits.open(opened);
  }

  /** Empties the land for a training of so many steps. */
  startTraining(steps: number): void {
    this.#steps = steps;
    for (const curve of this.#losses) curve.length = 0;
    this.#digits.forget();
    find("tell", HTMLElement).replaceChildren("\u00a0");
    this.#drawLosses();
  }

  /** Shows how far both trainings are. One part is drawn at a time, so that the page stays free to answer. */
  train({ step, units, losses }: TrainingNews): void {
    this.#units = units;
    this.#losses.forEach((curve, network) => {
      addSmoothed(curve, step, losses[network === 0 ? 0 : 1]);
    });
    if (this.#waiting === 0) this.#drawLater();
    this.#waiting = PARTS;
  }

  #drawNext(): void {
    if (this.#waiting === 0 || this.#units === undefined) return;
    const [a, b] = this.#units;
    const parts = [
      () => this.#a.show(a),
      () => this.#b.show(b),
      () => this.#showMean(0),
      () => this.#drawLosses(),
    ];
    parts[this.#turn++ % PARTS]?.();
    this.#waiting--;
    if (this.#waiting > 0) this.#drawLater();
  }

  #drawLater(): void {
    setTimeout(() => requestAnimationFrame(() => this.#drawNext()), PAUSE);
  }

  /** Shows the line while it is measured. */
  measure(places: readonly Place[]): void {
    const picture = { shown: places, ghost: undefined, aligned: false, here: undefined, name: "" };
    this.#land.show({ kind: "line", ...picture }, "Loss between the networks, being measured");
  }

  /** Shows the units of both networks, in the order in which they stand. */
  showUnits(units: Pair<Float32Array>): void {
    this.#waiting = 0;
    this.#units = units;
    this.#a.show(units[0]);
    this.#b.show(units[1]);
  }

  /** Shows a measured line, the thumb at one of its places, and what is read there. */
  showLine(shown: ShownLine, index: number): void {
    const { places, readings } = shown.line;
    const here = places[index];
    if (here === undefined) return;
    drawShown(this.#land, shown, here);
    tellHere(this.place, here, index);
    const perPlace = readings.length / places.length;
    this.#digits.read(readings.subarray(index * perPlace, (index + 1) * perPlace));
    this.#showMean(here.t);
  }

  /**
   * Lets the units of B fly.
   * @param order - unit that comes to each place
   * @param partners - unit of B that belongs to each unit of A
   */
  async fly(order: Int32Array, partners: Int32Array): Promise<void> {
    const draw = (strength: number) =>
      this.#threads.draw(this.#a.places(), this.#b.places(), partners, strength);
    await animate(APPEAR, (elapsed) => draw(elapsed / APPEAR));
    await this.#b.fly(order, () => draw(1));
    await animate(FADE, (elapsed) => draw(1 - elapsed / FADE));
    this.#threads.clear();
  }

  /** Lets the line sink, or rise, to another. */
  async sink(from: ShownLine, to: ShownLine, index: number): Promise<void> {
    await animate(SINK, (elapsed) => {
      const share = 1 - (1 - elapsed / SINK) ** 3;
      const places = to.line.places.map((end, i) => {
        const start = from.line.places[i] ?? end;
        return { ...end, loss: start.loss + (end.loss - start.loss) * share };
      });
      const moving = { line: { ...to.line, places }, ghost: to.ghost, aligned: to.aligned && share > 0.8 };
      const here = places[index];
      if (here !== undefined) drawShown(this.#land, moving, here);
    });
  }

  /** Draws everything again, as after a change of colours. */
  redraw(): void {
    for (const tiles of [this.#a, this.#b, this.#mean]) tiles.redraw();
    this.#digits.redraw();
  }

  #drawLosses(): void {
    const picture = { kind: "training", steps: this.#steps, losses: this.#losses } as const;
    this.#land.show(picture, "Losses of both networks, which fall while they are trained");
  }

  /** Shows the units of the network at a place on the line. */
  #showMean(t: number): void {
    if (this.#units === undefined) return;
    const [a, b] = this.#units;
    const mean = new Float32Array(a.length);
    for (let i = 0; i < a.length; i++) mean[i] = (1 - t) * (a[i] as number) + t * (b[i] as number);
    this.#mean.show(mean);
  }
}

function canvas(id: string): HTMLCanvasElement {
  return find(id, HTMLCanvasElement);
}

function drawShown(land: Land, { line, ghost, aligned }: ShownLine, here: Place): void {
  const kind = aligned ? "isthmus" : "ridge";
  const name = `${kind}, ${formatLoss(line.barrier)} nats`;
  land.show(
    { kind: "line", shown: line.places, ghost: ghost?.places, aligned, here, name },
    `Loss between A and B, ${aligned ? "aligned" : "as trained"}: barrier ${formatLoss(line.barrier)} nats. ${tellPlace(here)}`,
  );
}

/** Tells in words what lies under the thumb. */
function tellHere(place: HTMLInputElement, here: Place, index: number): void {
  place.value = String(index);
  place.setAttribute("aria-valuetext", tellPlace(here));
  const isBad = here.error > 0.2;
  find("tell", HTMLElement).replaceChildren(
    make("span", {}, namePlace(here.t)),
    make("span", {}, "loss ", make("b", {}, formatLoss(here.loss))),
    make("span", {}, "misread ", make("b", isBad ? { class: "bad" } : {}, formatShare(here.error))),
  );
  find("mean-place", HTMLElement).textContent = namePlace(here.t);
}

function addSmoothed(curve: [number, number][], step: number, loss: number): void {
  if (Number.isNaN(loss)) return;
  const before = curve.at(-1)?.[1] ?? loss;
  curve.push([step, before + (loss - before) / Math.min(SMOOTHED, curve.length + 1)]);
}
