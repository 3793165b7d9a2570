module github.com/jwtgate/jwtgate/core/sqlstore

go 1.25.0

require github.com/jwtgate/jwtgate/core v0.1.0

require github.com/golang-jwt/jwt/v5 v5.3.1 // indirect

replace github.com/jwtgate/jwtgate/core => ../
