/** Distance in the units of a picture from which a press is a drag. */
const LEAST_DRAG = 6;

/** A place of a picture, in its own units. */
export type Place = readonly [x: number, y: number];

/** Functions by which things in a picture are dragged; a thing is named by its number. */
export interface DragActions {
  /** Returns the thing at a place; undefined if there is none. */
  readonly thingAt: (place: Place) => number | undefined;
  /** Called if a thing was pressed, and not moved. */
  readonly onPress: (thing: number) => void;
  /** Called as a thing moves. */
  readonly onMove: (thing: number, place: Place) => void;
  /** Called if a moved thing is let go; the place is undefined if the browser took the drag away. */
  readonly onDrop: (thing: number, place: Place | undefined) => void;
}

/**
 * Lets things in a picture be pressed and dragged, by mouse, pen and finger.
 * @param width - width of the picture in its own units
 */
export function followDrags(
  picture: HTMLElement,
  width: number,
  { thingAt, onPress, onMove, onDrop }: DragActions,
): void {
  let drag: { readonly thing: number; readonly from: Place; isMoved: boolean } | undefined;
  const placeOf = ({ clientX, clientY }: PointerEvent): Place => {
    const box = picture.getBoundingClientRect();
    const scale = width / box.width;
    return [(clientX - box.left) * scale, (clientY - box.top) * scale];
  };
  picture.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    const from = placeOf(event);
    const thing = thingAt(from);
    if (thing === undefined) return;
    // The picture is drawn again while it is dragged, so that the element below the pointer goes away.
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
    drag = { thing, from, isMoved: false };
  });
  picture.addEventListener("pointermove", (event) => {
    if (drag === undefined || !event.isPrimary) return;
    const place = placeOf(event);
    drag.isMoved ||= Math.hypot(place[0] - drag.from[0], place[1] - drag.from[1]) >= LEAST_DRAG;
    if (drag.isMoved) onMove(drag.thing, place);
  });
  const end = (event: PointerEvent) => {
    if (drag === undefined || !event.isPrimary) return;
    const { thing, isMoved } = drag;
    drag = undefined;
    const isTaken = event.type === "pointercancel";
    if (isMoved) onDrop(thing, isTaken ? undefined : placeOf(event));
    else if (!isTaken) onPress(thing);
  };
  picture.addEventListener("pointerup", end);
  picture.addEventListener("pointercancel", end);
}
