module github.com/jwtgate/jwtgate/echojwt/echo5

go 1.25.0

require (
	github.com/jwtgate/jwtgate/core v0.1.0
	github.com/labstack/echo/v5 v5.4.5
)

require github.com/golang-jwt/jwt/v5 v5.3.1 // indirect

replace github.com/jwtgate/jwtgate/core => ../../core
