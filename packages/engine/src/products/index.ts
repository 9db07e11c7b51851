export { openProducts, PRODUCTS_MODULE } from "./open-products.ts";
