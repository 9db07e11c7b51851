/*
 * Disables the telemetry of onnxruntime, which by default stores an identity of the machine and a queue of
 * events for Microsoft under the user's home. The variable is read once, when its library is loaded, so this
 * file must be imported before it.
 */
// biome-ignore lint/style/noProcessEnv: the library has no other switch.
process.env["ORT_DISABLE_TELEMETRY"] ||= "1";
