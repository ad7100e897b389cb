# The product as one static binary and nothing else: no shell, no package to
# patch, no root. It connects to PostgreSQL and Redis that run elsewhere.

FROM golang:1.26-bookworm AS build
WORKDIR /src
# The modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# timetzdata puts the time zones in, which an empty image does not have.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /chargehand ./cmd/chargehand

FROM scratch
# Who signs for rediss:// and for PostgreSQL over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /chargehand /chargehand
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Outside the container, 127.0.0.1 is another machine.
ENV CHARGEHAND_HTTP_LISTEN=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/chargehand"]
CMD ["all"]
