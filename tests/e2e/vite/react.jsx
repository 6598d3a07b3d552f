import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { LacquerTryon } from 'lacquer-tryon/react';

// StrictMode mounts each component, unmounts it and mounts it again.
function Shop() {
  const [ready, setReady] = useState('');
  const [color, setColor] = useState('');
  return (
    <>
      <output id="ready">{ready}</output>
      <output id="color">{color}</output>
      <LacquerTryon
        assets={`${import.meta.env.BASE_URL}lacquer-tryon/`}
        lang="en"
        look="valentine"
        stats={false}
        onReady={({ shades }) => setReady(`${shades} shades`)}
        onLook={(look, event) => setColor(`${look.color} ${event.type}`)}
      />
    </>
  );
}
createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Shop />
  </StrictMode>,
);
