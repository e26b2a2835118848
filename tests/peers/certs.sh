# Makes throw-away certificates in the current directory: an authority (ca), and servers good, wronghost, expired and
# selfsigned. `openssl ca` because it alone takes exact dates in OpenSSL 3.0.
set -eu
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $new -days 30 -subj "/CN=VistterStream test authority" -keyout ca.key -out ca.crt \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

: > index.txt
cat > ca.cnf <<CNF
[ca]
default_ca = this
[this]
database = index.txt
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CNF

sign() { # name, common name, alternative names, start, end
  openssl req $new -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$3" > "$1.ext"
  openssl ca -batch -notext -config ca.cnf -in "$1.csr" -out "$1.crt" -extfile "$1.ext" -startdate "$4" -enddate "$5"
}
here="DNS:localhost,IP:127.0.0.1"
sign good localhost "$here" 20200101000000Z 20991231000000Z
sign expired localhost "$here" 20200101000000Z 20200131000000Z
sign wronghost other.example "DNS:other.example" 20200101000000Z 20991231000000Z
openssl req -x509 $new -days 30 -subj /CN=localhost -addext "subjectAltName=$here" -keyout selfsigned.key -out selfsigned.crt

for name in good expired wronghost selfsigned; do
  cat "$name.crt" "$name.key" > "$name.pem"
done
