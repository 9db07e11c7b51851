/** Distance of a label from its point, and half its height, in pixels. */
const ASIDE = 13;
const HALF = 8;

/** Extents of a label or a mark, in pixels. */
type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Puts each label beside its point so that it covers no other; chosen points come first, then stars. */
export function placeLabels(root: SVGElement, width: number, height: number): void {
  const nodes = [...root.querySelectorAll<SVGElement>("[data-x]")];
  const spot = ({ dataset }: SVGElement) => [Number(dataset["x"]), Number(dataset["y"])] as const;
  const rank = ({ classList }: SVGElement) =>
    Number(!classList.contains("on")) * 2 - Number(classList.contains("star"));
  const taken = nodes.map((node): Box => {
    const [x, y] = spot(node);
    return [x - 9, y - 9, x + 9, y + 9];
  });
  for (const node of nodes.sort((one, other) => rank(one) - rank(other))) {
    const label = node.querySelector<SVGTextElement>(".label");
    if (label === null) continue;
    const [x, y] = spot(node);
    const length = label.getComputedTextLength();
    const places = [ASIDE, -ASIDE - length, -length / 2].flatMap((dx) =>
      (dx === -length / 2 ? [-19, 19] : [0, -11, 11]).map((dy) => ({ dx, dy })),
    );
    const boxAt = ({ dx, dy }: { readonly dx: number; readonly dy: number }): Box => {
      const [left, middle] = [x + dx, y + dy];
      return [left, middle - HALF, left + length, middle + HALF];
    };
    const free = places.find((place) => {
      const here = boxAt(place);
      const isInside = here[0] > 0 && here[1] > 0 && here[2] < width && here[3] < height;
      return isInside && !taken.some((other) => overlaps(here, other));
    });
    label.classList.toggle("hidden", free === undefined);
    const { dx, dy } = free ?? { dx: x > width / 2 ? -ASIDE - length : ASIDE, dy: 0 };
    label.setAttribute("x", dx.toFixed(1));
    label.setAttribute("y", String(dy));
    if (free) taken.push(boxAt(free));
  }
}

const overlaps = (one: Box, other: Box): boolean =>
  one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
