// Questions to the server, with the token that it may ask for.

export async function api(address) {
  const token = sessionStorage.getItem("token");
  const answer = await fetch(address, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  if (answer.status === 401) {
    const given = prompt("This server asks for a token:");
    if (given) {
      sessionStorage.setItem("token", given);
      return api(address);
    }
  }
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.detail);
  return value;
}
