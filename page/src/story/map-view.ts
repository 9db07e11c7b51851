import { drawMap, mapOfPlane } from "../figures/map.ts";
import type { Computer } from "../shell/computer.ts";
import { find } from "../shell/dom.ts";

/** The map of the land through both networks and the aligned B. */
export interface MapView {
  /** Measures and draws the map, once it is in view; does nothing if it is drawn. */
  draw(signal: AbortSignal): void;
  clear(): void;
}

/** Creates the map in its place on the page. */
export function createMapView(computer: Computer): MapView {
  const view = find("map", HTMLElement);
  const words = find("map-words", HTMLElement);
  const before = words.textContent;
  let asked: AbortSignal | undefined;
  const measure = async (signal: AbortSignal) => {
    const onProgress = ({ done }: { readonly done: number }) => {
      words.textContent = `Measuring the plane through A, B and aligned B: ${Math.round(100 * done)} %`;
    };
    const measured = await computer.ask("story.map", {}, { signal, onProgress });
    if (signal.aborted) return;
    const places = measured.loss.length;
    const [lowest, highest] = [Math.min(...measured.loss), Math.max(...measured.loss)];
    view.innerHTML = drawMap(
      mapOfPlane(
        measured,
        `Loss on the plane through A, B and aligned B, from ${lowest.toFixed(2)} to ${highest.toFixed(2)} nats: A and aligned B lie in one basin, B in another beyond a ridge`,
      ),
    );
    words.textContent = `The plane through A, B and aligned B, measured here at ${places} places on ${measured.examples} images. There may be ways around the ridge that no plane shows.`;
  };
  const observer = new IntersectionObserver((entries) => {
    const signal = asked;
    if (signal === undefined || !entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    measure(signal).catch((error: unknown) => {
      if (!signal.aborted) words.textContent = error instanceof Error ? error.message : String(error);
    });
  });
  return {
    draw(signal) {
      if (asked === signal) return;
      asked = signal;
      observer.observe(view);
    },
    clear() {
      asked = undefined;
      observer.disconnect();
      view.replaceChildren();
      words.textContent = before;
    },
  };
}
