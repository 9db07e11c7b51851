/** Shift by which the inputs of one client differ from the inputs of the others. */
export interface FeatureShift {
  /** Angle by which images are turned about their middle, in degrees, counter-clockwise. */
  readonly rotation: number;
  /** Number that is added to every element, in the scale of the inputs. */
  readonly brightness: number;
  /** Standard deviation of the normal noise that is added to every element, in the scale of the inputs. */
  readonly noise: number;
}
