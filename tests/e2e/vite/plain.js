import { defineTryon } from 'lacquer-tryon';

await defineTryon({ assets: `${import.meta.env.BASE_URL}lacquer-tryon/` });
document.querySelector('main').innerHTML =
  '<lacquer-tryon engine="device" lang="en" color="#1f2fd5" finish="creme"></lacquer-tryon>';
