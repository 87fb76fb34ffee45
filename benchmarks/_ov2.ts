import process from "node:process";
import * as ort from "npm:onnxruntime-node@1.30.0";
import * as tf from "@tensorflow/tfjs";
import { compileGraph } from "../engines/onnx/engine.ts";
import { writeOnnx } from "../engines/onnx/onnx_writer.ts";
const cpu=()=>{const u=process.cpuUsage();return (u.user+u.system)/1000};
const size=262144,n=12;
const specs:any={};for(let i=0;i<n;i++)specs["s"+i]={shape:[size],dtype:"float32"};
const g=compileGraph({name:"t",state:specs,inputs:{x:{shape:[],dtype:"float32"}},apply:(s,{x})=>({state:Object.fromEntries(Object.entries(s).map(([k,v])=>[k,tf.add(v,x)])),outputs:{y:tf.add(x,1)}})});
const model=writeOnnx(g,"t");
const stat=()=>{const l=Deno.readTextFileSync("/proc/self/stat").split(" ");return {minflt:+l[9],ut:+l[13],st:+l[14]}};
for (const opt of [{}, {enableCpuMemArena:false},{enableMemPattern:false}] as any[]) {
const s=await ort.InferenceSession.create(model,{executionProviders:["cpu"],intraOpNumThreads:1,graphOptimizationLevel:"all",...opt});
const mk=()=>Array.from({length:n},()=>new ort.Tensor("float32",new Float32Array(size).fill(1),[size]));
let a=mk(),b=mk(); const x=new ort.Tensor("float32",new Float32Array(1),[]);
async function step(pre:boolean){const feeds:any={};a.forEach((t,i)=>feeds["i"+i]=t);feeds["i"+n]=x;const f:any={};b.forEach((t,i)=>f["o"+i]=pre?t:null);f["o"+n]=null;
 const r=await s.run(feeds,f); if(pre){ if(r.o0!==b[0]) console.log("not same object", r.o0.data===b[0].data); [a,b]=[b,a];} }
for(const pre of [true,false]){for(let i=0;i<20;i++)await step(pre);const N=100;const c=cpu(),f=stat();for(let i=0;i<N;i++)await step(pre);const e=stat();console.log(JSON.stringify(opt),"pre",pre,((cpu()-c)/N).toFixed(2),"ms faults/step",(e.minflt-f.minflt)/N,"ut",(e.ut-f.ut)*10/N,"st",(e.st-f.st)*10/N);}
}
