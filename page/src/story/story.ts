import { assets } from "../assets.ts";
import type { Computer } from "../shell/computer.ts";
import { copyText } from "../shell/copy.ts";
import { find } from "../shell/dom.ts";
import { showInFragment } from "../shell/fragment.ts";
import type {
  AlignedPair,
  MeasuredLine,
  Opened,
  Place,
  TrainedPair,
  TrainingNews,
} from "../worker/story/story-requests.ts";
import { FRAGMENT_KEYS, LAST_PLACE, readFragment, type Shown, writeFragment } from "./choice.ts";
import { createMapView, type MapView } from "./map-view.ts";
import { showNumbers, startFiles } from "./results.ts";
import { type ShownLine, Stage } from "./stage.ts";
import { animate } from "./unit-tiles.ts";
import { tellAligned, tellLoading, tellTrained, tellTraining } from "./words.ts";

/** Milliseconds in which the thumb first goes half-way by itself. */
const FIRST_WALK = 2200;

/** What was made of the pair that is shown. */
interface Made {
  readonly opened: Opened;
  readonly pair: TrainedPair;
  readonly before: MeasuredLine;
  aligned?: AlignedPair;
  after?: MeasuredLine;
}

/**
 * The story of two networks: trained, measured, aligned; what it shows stands in the address.
 * @param onLoaded - called once everything is loaded
 */
export function startStory(computer: Computer, onLoaded: () => void): { redraw(): void } {
  const story = new Story(computer, new Stage(), onLoaded);
  story.start();
  return story;
}

class Story {
  readonly #computer: Computer;
  readonly #stage: Stage;
  readonly #align = find("align", HTMLButtonElement);
  readonly #map: MapView;
  readonly #narration = find("narration", HTMLElement);
  #opened: Promise<Opened> | undefined;
  #made: Made | undefined;
  #shown: Shown = readFragment(location.hash);
  /** Stops the run before, if another pair is asked for. */
  #run = new AbortController();

  readonly #onLoaded: () => void;

  constructor(computer: Computer, stage: Stage, onLoaded: () => void) {
    this.#onLoaded = onLoaded;
    this.#computer = computer;
    this.#map = createMapView(computer);
    this.#stage = stage;
  }

  redraw(): void {
    this.#stage.redraw();
  }

  start(): void {
    const { place } = this.#stage;
    this.#stage.wait();
    place.max = String(LAST_PLACE);
    place.addEventListener("input", () => this.#go(Number(place.value)));
    this.#align.addEventListener("click", () => void this.#attempt(() => this.#turn()));
    startFiles(this.#computer);
    this.#startChoice();
    addEventListener("hashchange", () => this.#follow(readFragment(location.hash)));
    void this.#attempt(() => this.#begin());
  }

  #startChoice(): void {
    const [seedA, seedB] = [find("seed-a", HTMLInputElement), find("seed-b", HTMLInputElement)];
    const width = find("width", HTMLSelectElement);
    const share = find("share", HTMLButtonElement);
    find("choice", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const said = `seeds=${seedA.value},${seedB.value}&width=${width.value}`;
      this.#shown = readFragment(said);
      void this.#attempt(() => this.#begin());
      find("title", HTMLElement).scrollIntoView();
    });
    share.addEventListener("click", () => void copyText(location.href, share));
  }

  /** Shows what another fragment of the address says. */
  #follow(said: Shown): void {
    const { seeds, width } = this.#shown;
    const isSame = said.width === width && said.seeds.every((seed, i) => seed === seeds[i]);
    if (isSame && writeFragment(said) === writeFragment(this.#shown)) return;
    if (!isSame || this.#made === undefined) {
      this.#shown = said;
      void this.#attempt(() => this.#begin());
      return;
    }
    this.#go(said.place);
    if (said.aligned !== this.#shown.aligned) void this.#attempt(() => this.#turn());
  }

  /** Trains and measures the chosen pair, and aligns it if the address says so. */
  async #begin(): Promise<void> {
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    const { aligned, place } = this.#shown;
    this.#made = undefined;
    this.#map.clear();
    this.#shown = { ...this.#shown, aligned: false };
    this.#lock("loading");
    this.#say(tellLoading(0, assets.engineBytes));
    showChoice(this.#shown);
    const opened = await this.#open();
    signal.throwIfAborted();
    const pair = await this.#train(opened, signal);
    const before = await this.#measure(false, signal);
    signal.throwIfAborted();
    this.#made = { opened, pair, before };
    this.#unlock("trained");
    this.#say(tellTrained(before));
    this.#go(place);
    if (aligned) await this.#turn();
    else if (place === 0) await this.#walk();
  }

  #open(): Promise<Opened> {
    const { digits, engine, engineBytes } = assets;
    const absolute = (path: string) => new URL(path, document.baseURI).href;
    const params = { digits: absolute(digits), engine: absolute(engine), engineBytes };
    this.#opened ??= this.#computer
      .ask("story.open", params, {
        onProgress: ({ done }) => this.#say(tellLoading(done, engineBytes)),
      })
      .then((opened) => {
        this.#stage.open(opened);
        this.#onLoaded();
        return opened;
      });
    return this.#opened;
  }

  async #train(opened: Opened, signal: AbortSignal): Promise<TrainedPair> {
    const { seeds, width } = this.#shown;
    this.#lock("training");
    this.#say(tellTraining(opened));
    this.#stage.startTraining(opened.steps);
    const onProgress = (news: TrainingNews) => this.#stage.train(news);
    const pair = await this.#computer.ask("story.train", { seeds, width }, { signal, onProgress });
    this.#stage.showUnits(pair.units);
    return pair;
  }

  async #measure(aligned: boolean, signal: AbortSignal): Promise<MeasuredLine> {
    const places: Place[] = [];
    const onProgress = (place: Place) => {
      places.push(place);
      if (!aligned) this.#stage.measure(places);
    };
    return this.#computer.ask("story.measure", { aligned }, { signal, onProgress });
  }

  /** Moves the thumb. */
  #go(place: number): void {
    this.#shown = { ...this.#shown, place };
    const line = this.#line(this.#shown.aligned);
    if (line === undefined) return;
    this.#stage.showLine(line, place);
    showInFragment(FRAGMENT_KEYS, writeFragment(this.#shown).slice(1));
  }

  #line(aligned: boolean): ShownLine | undefined {
    if (this.#made === undefined) return undefined;
    const { before, after } = this.#made;
    if (aligned && after !== undefined) return { line: after, ghost: before, aligned };
    return { line: before, ghost: after, aligned: false };
  }

  /** Lets the thumb walk to the ridge, so that it is seen before anything is touched. */
  async #walk(): Promise<void> {
    const made = this.#made;
    const isMine = () => this.#made === made && !this.#shown.aligned;
    let last = 0;
    await animate(FIRST_WALK, (elapsed) => {
      const share = elapsed / FIRST_WALK;
      // A reader who has moved the thumb leads from there on; one who has pressed Align sees the ridge go.
      if (!isMine() || this.#shown.place !== last) return;
      const isPressed = this.#align.disabled;
      const place = Math.round((LAST_PLACE / 2) * (isPressed ? 1 : share * share * (3 - 2 * share)));
      if (!isPressed) last = place;
      this.#go(place);
    });
  }

  /** Aligns B, or shows it again as it was trained. */
  async #turn(): Promise<void> {
    const made = this.#made;
    if (made === undefined) return;
    const { signal } = this.#run;
    const toAligned = !this.#shown.aligned;
    const from = this.#line(!toAligned);
    this.#lock("aligning");
    if (made.aligned === undefined) this.#say("Matching the units of B to those of A, by their weights …");
    const aligned = made.aligned ?? (await this.#computer.ask("story.align", { seed: 0 }, { signal }));
    made.aligned = aligned;
    const { order } = aligned;
    const measured = made.after === undefined ? this.#measure(true, signal) : Promise.resolve(made.after);
    await (toAligned ? this.#stage.fly(order, order) : this.#stage.fly(inverse(order), identity(order)));
    made.after = await measured;
    signal.throwIfAborted();
    this.#stage.showUnits([made.pair.units[0], toAligned ? aligned.units : made.pair.units[1]]);
    const to = this.#line(toAligned);
    if (from !== undefined && to !== undefined) await this.#stage.sink(from, to, this.#shown.place);
    signal.throwIfAborted();
    this.#shown = { ...this.#shown, aligned: toAligned };
    this.#unlock(toAligned ? "aligned" : "trained");
    this.#go(this.#shown.place);
    this.#say(toAligned ? tellAligned(made.after, aligned) : tellTrained(made.before));
    showNumbers({ pair: made.pair, before: made.before, after: made.after, aligned });
    this.#map.draw(signal);
  }

  #lock(phase: string): void {
    // While megabytes are counted, a screen reader waits for what comes after.
    this.#narration.setAttribute("aria-busy", String(phase === "loading"));
    find("stage", HTMLElement).dataset["phase"] = phase;
    this.#align.disabled = true;
    this.#stage.place.disabled = phase !== "aligning";
  }

  #unlock(phase: "trained" | "aligned"): void {
    find("stage", HTMLElement).dataset["phase"] = phase;
    this.#stage.place.disabled = false;
    this.#align.disabled = false;
    this.#align.textContent = phase === "aligned" ? "Show as trained" : "Align";
    this.#align.classList.toggle("done", phase === "aligned");
    for (const button of document.querySelectorAll<HTMLButtonElement>("#files button")) {
      button.disabled = button.dataset["file"] === "merged.safetensors" && this.#made?.aligned === undefined;
    }
  }

  #say(text: string): void {
    this.#narration.textContent = text;
  }

  /** Runs a part of the story; one that another has replaced ends silently. */
  async #attempt(part: () => Promise<void>): Promise<void> {
    const run = this.#run;
    try {
      await part();
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") return;
      if (this.#run !== run && this.#run.signal.aborted) return;
      find("stage", HTMLElement).dataset["phase"] = "failed";
      this.#say(`This browser cannot go on here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Fills the fields in which a pair is chosen. */
function showChoice({ seeds, width }: Shown): void {
  find("seed-a", HTMLInputElement).value = String(seeds[0]);
  find("seed-b", HTMLInputElement).value = String(seeds[1]);
  find("width", HTMLSelectElement).value = String(width);
  const values = { "seed-a": seeds[0], "seed-b": seeds[1], width };
  for (const element of document.querySelectorAll<HTMLElement>("[data-show]")) {
    const value = values[element.dataset["show"] as keyof typeof values];
    if (value !== undefined) element.textContent = String(value);
  }
}

function inverse(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((unit, place) => {
    places[unit] = place;
  });
  return places;
}

function identity(order: Int32Array): Int32Array {
  return order.map((_, place) => place);
}
