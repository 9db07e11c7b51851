import type { TensorInfo } from "@isthmus/core";
import type { GraphBuilder } from "./graph-builder.ts";

/** A value of a graph under construction: its name, element type and concrete shape. */
export interface Value extends TensorInfo {
  readonly name: string;
  /** The graph it belongs to; operators applied to it add their nodes there. */
  readonly builder: GraphBuilder;
}

/** An operand: a value, or a number that becomes a scalar constant of the other operand's element type. */
export type Operand = Value | number;
