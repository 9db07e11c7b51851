export { PRODUCTS_MODULE } from "./open-products.ts";
