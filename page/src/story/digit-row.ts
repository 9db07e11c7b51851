import { partsOf, pixelBetween } from "../shell/colors.ts";
import { make } from "../shell/dom.ts";
import type { Opened } from "../worker/story/story-requests.ts";

const EXTENT = 28;
const PIXELS = EXTENT * EXTENT;

/** The row of test images with what a network reads in them. */
export interface DigitRow {
  /** Shows images without readings. */
  open(images: Pick<Opened, "images" | "labels">): void;
  /** Shows readings under the images, and marks the wrong ones; returns how many are wrong. */
  read(readings: Uint8Array): number;
  /** Takes the readings away. */
  forget(): void;
  redraw(): void;
}

/** Creates the row in a list. */
export function createDigitRow(list: HTMLElement): DigitRow {
  let shown: Pick<Opened, "images" | "labels"> | undefined;
  let items: readonly {
    readonly item: HTMLElement;
    readonly canvas: HTMLCanvasElement;
    readonly reading: HTMLElement;
  }[] = [];
  const redraw = () => {
    items.forEach(({ canvas }, index) => {
      if (shown !== undefined) paint(canvas, shown.images.subarray(index * PIXELS, (index + 1) * PIXELS));
    });
  };
  const forget = () => {
    for (const { item, reading } of items) {
      item.className = "";
      reading.textContent = "\u00a0";
    }
  };
  return {
    redraw,
    forget,
    open(images) {
      shown = images;
      items = Array.from(images.labels, () => {
        const canvas = make("canvas", {
          width: String(EXTENT),
          height: String(EXTENT),
          "aria-hidden": "true",
        });
        const reading = make("span", { class: "reading" }, "\u00a0");
        return { canvas, reading, item: make("li", {}, canvas, reading) };
      });
      list.replaceChildren(...items.map(({ item }) => item));
      redraw();
    },
    read(readings) {
      let wrong = 0;
      items.forEach(({ item, reading }, index) => {
        const [read, label] = [readings[index], shown?.labels[index]];
        const isWrong = read !== label;
        if (isWrong) wrong++;
        item.className = isWrong ? "wrong" : "";
        reading.textContent = String(read);
        item.setAttribute(
          "aria-label",
          isWrong ? `a ${label}, misread as ${read}` : `a ${label}, read rightly`,
        );
      });
      return wrong;
    },
  };
}

function paint(canvas: HTMLCanvasElement, image: Uint8Array): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const picture = context.createImageData(EXTENT, EXTENT);
  const [paper, ink] = [partsOf("surface"), partsOf("text")];
  const shades = Uint32Array.from({ length: 256 }, (_, value) => pixelBetween(paper, ink, value / 255));
  const pixels = new Uint32Array(picture.data.buffer);
  image.forEach((value, pixel) => {
    pixels[pixel] = shades[value] as number;
  });
  context.putImageData(picture, 0, 0);
}
