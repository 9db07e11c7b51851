import { definePermutation } from "./permutation.ts";
import { defineRepair } from "./repair.ts";
import { defineRotation } from "./rotation.ts";
import { defineSlice } from "./slice.ts";
import { defineStar } from "./star.ts";
import { defineTwoBasins } from "./two-basins.ts";

defineTwoBasins();
definePermutation();
defineRepair();
defineStar();
defineRotation();
defineSlice();

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = new URL("figures.css", import.meta.url).href;
document.head.append(style);
