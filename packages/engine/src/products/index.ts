export { PRODUCTS_MODULE, productsModuleOn } from "./open-products.ts";
