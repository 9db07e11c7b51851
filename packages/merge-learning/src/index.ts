export {
  MEASURE_GRADIENT_SIGNS_DEFAULTS,
  type MeasureGradientSignsOptions,
  measureGradientSigns,
} from "./advice/measure-gradient-signs.ts";
