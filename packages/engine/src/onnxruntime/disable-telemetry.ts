/*
 * Tells onnxruntime to collect nothing and to send nothing: left alone it keeps an identity of the machine and a queue of events for
 * Microsoft under the user's home. It reads the variable once, when its library is loaded, so that this must come before.
 */
// biome-ignore lint/style/noProcessEnv: the library has no other switch.
process.env["ORT_DISABLE_TELEMETRY"] ||= "1";
