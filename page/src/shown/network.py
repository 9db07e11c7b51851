import isthmus

networks = "a.safetensors", "b.safetensors"
isthmus.merge("a.onnx", *networks, align=True, out="merged.safetensors")
result = isthmus.barrier("a.onnx", *networks, align=True, data="mnist:test@2000")
print(result)
