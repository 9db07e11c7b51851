import { lossWords, type Table, type TableColumn } from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";
import { coordinatesOf } from "./landscape-planes.ts";

const number = (title: string): TableColumn => ({ title, kind: "number" });

/** Lists the properties of every direction. */
export function directionsTable({ basis }: LandscapeResult): Table {
  const facts = (["eigenvalue", "explained", "slope", "curvature"] as const).filter((fact) =>
    basis.some((direction) => direction[fact] !== undefined),
  );
  const titles = { eigenvalue: "Eigenvalue", explained: "Variance", slope: "Slope", curvature: "Curvature" };
  return {
    name: "directions",
    title: "Directions",
    caption:
      "The length is the distance between weights of one unit of the coordinate; slope and curvature are derivatives of the loss at the network by the coordinate.",
    columns: [
      { title: "Direction", kind: "text" },
      number("Length"),
      ...facts.map((fact): TableColumn => {
        return fact === "explained" ? { title: titles[fact], kind: "share" } : number(titles[fact]);
      }),
    ],
    rows: basis.map((direction) => ({
      cells: [direction.label, direction.length, ...facts.map((fact) => direction[fact] ?? null)],
    })),
    fixed: true,
  };
}

/** Lists the networks with their coordinates. */
export function networksTable(result: LandscapeResult): Table {
  const { networks, basis } = result;
  return {
    name: "networks",
    title: "Networks",
    caption: `Coordinates along the directions of the place nearest to each network, and its distance from there between weights; loss ${lossWords(result).inUnits("percent")}.`,
    columns: [
      { title: "Network", kind: "text" },
      ...basis.map(({ label }) => number(label)),
      number("Distance"),
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
      { title: "File", kind: "text" },
    ],
    rows: networks.map(({ label, place, distance, loss, error, source }) => ({
      cells: [label, ...place, distance, loss, error, source],
    })),
    fixed: true,
  };
}

/** Lists every measured place. */
export function gridTable(result: LandscapeResult): Table {
  const { basis, loss, error } = result;
  return {
    name: "grid",
    title: "Every measured place",
    caption: `Coordinates along the directions, loss ${lossWords(result).inUnits("percent")}.`,
    columns: [
      ...basis.map(({ label }) => number(label)),
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: loss.map((value, place) => ({
      cells: [...coordinatesOf(result, place), value, error[place] ?? null],
    })),
  };
}
