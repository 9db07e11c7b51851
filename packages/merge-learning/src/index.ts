export { type MeasureGradientSignsOptions, measureGradientSigns } from "./advice/measure-gradient-signs.ts";
