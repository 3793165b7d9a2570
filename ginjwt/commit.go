package ginjwt

import (
	"net/http"
	"reflect"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// commitBelow puts the writer of a renewed answer between w and the server, below the
// writers of Gin and of middleware, because [gin.Engine.HandleContext] takes away those
// that are above Gin's own. Gin's own writer, and every writer of middleware, embeds
// the next one as a field named ResponseWriter; without such a field, the answer gets
// no cookies. Gin writes the header at the end of each request, if nothing else has
// written it, so nothing else needs to commit.
func commitBelow(w gin.ResponseWriter, d *jwtgate.Decision) {
	at := reflect.ValueOf(w)
	for at.IsValid() {
		switch at.Kind() {
		case reflect.Interface, reflect.Pointer:
			at = at.Elem()
			continue
		case reflect.Struct:
		default:
			return
		}
		at = at.FieldByName("ResponseWriter")
		if server, is := asServer(at); is {
			at.Set(reflect.ValueOf(commitWriter{d.CommitWriter(server)}))
			return
		}
	}
}

// asServer returns the server's writer if field is where Gin's own writer has it.
func asServer(field reflect.Value) (w http.ResponseWriter, is bool) {
	if !field.IsValid() || !field.CanSet() || field.Type() != reflect.TypeFor[http.ResponseWriter]() {
		return nil, false
	}
	w, is = field.Interface().(http.ResponseWriter)
	return w, is
}

// commitWriter is a [jwtgate.CommitWriter] with the method that Gin needs for streams.
type commitWriter struct{ *jwtgate.CommitWriter }

// CloseNotify implements [http.CloseNotifier].
func (w commitWriter) CloseNotify() <-chan bool {
	return w.ResponseWriter.(http.CloseNotifier).CloseNotify() //nolint:staticcheck,forcetypeassert // as Gin does
}
